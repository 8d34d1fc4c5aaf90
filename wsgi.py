"""Where web servers, the worker and `flask --app wsgi` find the application."""

import os

from config import load
from credits.app import create_app

app = create_app(load(os.environ))
