"""What subscriptions give: the sources of their events. How events reach clients is the server's."""
