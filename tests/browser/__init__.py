"""What people see of pods, in a real browser: headless Chromium through WebDriver."""
