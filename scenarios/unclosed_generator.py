"""Shop assistants scan labels, one in six of something that the shop no longer sells."""

from shoppers.labels import Assistant as Assistant
