"""The REST API's frame: who calls, how often, in what form; the apps above give it what is called."""
