"""The commands of `drehkreuz`, one file each with a `register(app)`."""
