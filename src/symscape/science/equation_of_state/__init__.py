"""Energy against volume of rigid crystals: fits, differences between curves and prototypes."""
