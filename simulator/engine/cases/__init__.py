"""What goes on after a decision without its user: queues, stock, openings, choosers, experience."""
