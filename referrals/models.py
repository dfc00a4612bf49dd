"""Where Django looks for the models of an app; each stands in the slice that it belongs to."""

from referrals.cases import duties, settings
from referrals.cases import models as cases
from referrals.responding import local
from referrals.sending import models as sending
from referrals.worklist import saved_filters

__all__ = ["cases", "duties", "local", "saved_filters", "sending", "settings"]
