"""Knowledge made a network: what is stated, fitted, drawn and calibrated."""
