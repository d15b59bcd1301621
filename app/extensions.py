"""The Flask extensions: the one Flask import below the edges."""

from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from app.models.base import Base

db = SQLAlchemy(model_class=Base, disable_autonaming=True)
login_manager = LoginManager()
csrf = CSRFProtect()
