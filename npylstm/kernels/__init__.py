"""The reference's equations as machine code: traced vectors and their math, through llvmlite."""
