"""What each object is doing: static, moving, or held by the left, the right or both hands. One machine, one copy.

Owns: the evidence (object and hand tracks whitened by their own noise; motion of followed points in the picture) and the
semi-Markov machine over it. May import:
geometry, scene, hands, refine.contacts.
"""
