// KemonRecording
