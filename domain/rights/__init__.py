"""What pupils and parents may ask of the school about the record itself: requests with a clock, and who may ask."""
