// KemonBus
