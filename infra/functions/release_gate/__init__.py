"""JudgeImage: may this image become live?"""
