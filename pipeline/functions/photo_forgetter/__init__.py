"""ForgetPhoto: delete what products that follow their source have of a photo that is gone."""
