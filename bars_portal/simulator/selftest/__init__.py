"""Acting for a sender against any receiver: scenarios are data, the engine sends, judges and reports."""
