"""The scenery of the demo's own scene, made of primitives."""
