"""Parts that models trained with torch are built of: tables, graphs, propagation, attention, losses."""
