"""The Flask extensions: the one Flask import below the edges."""

from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from app.models.base import Base

# The tables stand on their own base (`models.Base`), so that below the edges nobody needs Flask to know them.
db = SQLAlchemy(metadata=Base.metadata)
login_manager = LoginManager()
csrf = CSRFProtect()
