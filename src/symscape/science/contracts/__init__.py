"""What symmetry and energy conservation demand of any potential, without DFT."""
