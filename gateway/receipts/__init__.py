"""AppRecs and replies find their way back."""
