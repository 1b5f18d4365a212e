"""A program of its own: the connection to one room, for a Blender on the same computer. trio, no bpy."""
