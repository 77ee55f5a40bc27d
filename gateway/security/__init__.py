"""XML gate, signatures, certificates, the vault."""
