// KemonEvents
