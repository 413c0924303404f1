{ # want CON-S001 "is expected here"
  "host": { "a": { "address": "10.0.0.1" } }
}
