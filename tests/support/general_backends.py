"""The backends of general networks that can be tried here."""

from bayesdx.inference.general import machine

BACKENDS = ["numpy", *(["compiled"] if machine.installed() else [])]
