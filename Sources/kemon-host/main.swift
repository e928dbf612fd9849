print("kemon-host")
