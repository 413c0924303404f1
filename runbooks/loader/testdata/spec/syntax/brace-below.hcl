host "a" # want CON-S001 "does not belong here"
{
  address = "10.0.0.1"
}
