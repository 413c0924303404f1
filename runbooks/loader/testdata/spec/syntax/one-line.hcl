# want-next CON-S003 "one attribute only"
host "a" { address = "10.0.0.1", port = 22 }
