"""How the processes of one supervisor are told from all others. A file of its own: the guard loads nothing else."""

MARKER = "DREHKREUZ_SERVICES"
"""Every process of a supervisor carries this variable with the supervisor's own value, so that none is missed at the end."""
