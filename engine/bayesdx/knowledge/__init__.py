"""What clinicians wrote: causes, findings, risks, the numbers between them and their sources."""
