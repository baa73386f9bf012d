"""Assets: recorded before they are delivered, told of before they end, exchanged when they are ours and fail."""
