"""HEIC and AVIF: photos in ISO base media boxes (ISO/IEC 14496-12 and 23008-12)."""
