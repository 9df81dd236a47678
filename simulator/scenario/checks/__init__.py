"""The one room in which a scenario is refused for what its parts say together; `check` lists the topics."""
