"""The few bytes of each container that tell sound from tags and promises from truth."""
