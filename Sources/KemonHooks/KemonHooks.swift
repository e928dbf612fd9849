// KemonHooks
