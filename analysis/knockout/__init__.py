"""The knock-out of one modality: who sees it, who uses it, and whose log it was learned from."""
