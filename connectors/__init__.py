"""The world's doors: what comes in from source systems and what goes out to channels.

Here belongs how to speak to a system. What a row means, whether it is good and where it goes is decided elsewhere.
"""
