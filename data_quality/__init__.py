"""What stands between a stage and its publish: contracts, row rules, quarantine, gate, conservation, metrics.

Importing this room costs nothing: Great Expectations is loaded inside `gate.run_gate` only. No flow, no publish and no
source reading here.
"""
