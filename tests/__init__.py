"""The tests mirror the rooms of app/."""
