"""Decode untrusted photo bytes to pixels within limits, and encode pixels.

`pixels` decodes and encodes. `formats` lists the formats that are read; `jpeg`, `png`, `tiff` and
`webp` check the bytes of one format before a decoder sees them. `limits` has every limit, `colour`
turns any pixels into upright RGB, `png_writer` writes PNG, and `prompts` checks points and boxes
against a photo.
"""
