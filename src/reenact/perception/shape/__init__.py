"""The role *shape*: the mesh of an object, its metric size with its uncertainty, and its symmetry.

From, in this order: the user's mesh file; a size that the user states; a box, cylinder or ellipsoid fitted to masks
(and depth, where there is any); a visual hull of many views. Every size says where its metres come from.
May import geometry, scene, hands and rendering; trimesh only inside `user`.
"""
