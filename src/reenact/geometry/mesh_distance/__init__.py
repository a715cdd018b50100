"""Distances from points to triangle meshes: exact closest points, and a signed grid that answers thousands at once.

Owns: `MeshSurface` (exact closest point, inside or outside) and `SignedDistanceGrid` (built once per mesh, trilinear
with gradient). May import: nothing of ours but errors.
"""

from reenact.geometry.mesh_distance.grid import GridConfig as GridConfig
from reenact.geometry.mesh_distance.grid import SignedDistanceGrid as SignedDistanceGrid
from reenact.geometry.mesh_distance.surface import MeshSurface as MeshSurface
