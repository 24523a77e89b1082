"""Speech: text to audio, values read aloud, recorded prompts, tones. See README.md in this folder.

The package itself imports nothing, so that the TTS child process starts fast; import the modules.
"""
