"""What people look at: the self-contained HTML report and the replay video. Read-only: nothing here changes a result.

Owns: the report's page (assets inlined, no request ever leaves it), its payload, and pictures of robots beside clips.
May import: geometry, scene, hands, robots, quality, video, rendering (and errors, records).
"""
