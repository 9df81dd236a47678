"""The modality x scenario map: a knock-out of every modality that is asked for, told on one page."""
