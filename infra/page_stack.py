"""Define the stack of the page: a private bucket of files, and CloudFront before it and the API."""

from __future__ import annotations

import json
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from constructs import Construct

from infra.page_settings import PageSettings
from infra.private_bucket import PrivateBucket
from pipeline.declared.names import Names
from pipeline.declared.page import INDEX, security_headers
from pipeline.declared.resources import Bucket

_FILES: Final = Bucket(summary="The page's files, which `matteline page publish` writes.")
_READ_BY_PAGES: Final = ("ingest", "output", "work")  # forms; results; previews of selections
_MAY_LIST: Final = "@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk"
_YEAR: Final = cdk.Duration.days(365)
_SECOND: Final = cdk.Duration.seconds(1)
# The statuses that CloudFront would keep for ten seconds, for every user, without regard to theirs.
_KEPT_FAILURES: Final = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)


class PageStack(cdk.Stack):
    """The page and the API at one address, so that the browser sees one origin.

    `api_host` is where the API answers. The files are not part of the stack.
    """

    def __init__(
        self,
        scope: Construct,
        stack_id: str,
        *,
        names: Names,
        settings: PageSettings,
        api_host: str,
    ) -> None:
        super().__init__(scope, stack_id, description="Matteline: the page")
        self._names, self._settings = names, settings
        # S3's own keys: with one of KMS, its policy would name the distribution, which needs the
        # bucket first. Everybody may read these files.
        bucket = PrivateBucket(self, "Files", name=names.bucket("page"), declared=_FILES)
        distribution = self._distribution(bucket, api_host)
        cdk.Annotations.of(self).acknowledge_warning(_MAY_LIST, "The distribution has an index.")
        address = f"https://{settings.domain or distribution.distribution_domain_name}"
        cdk.CfnOutput(self, "PageAddress", value=address, description="The page")
        cdk.CfnOutput(
            self,
            "PageDomainTarget",
            value=distribution.distribution_domain_name,
            description="What a CNAME record of the page's domain must point to",
        )
        cdk.CfnOutput(
            self,
            "PageSignIn",
            value=json.dumps(settings.sign_in()),
            description="How users sign in, for `matteline page publish`",
        )

    def _distribution(self, bucket: PrivateBucket, api_host: str) -> cloudfront.Distribution:
        settings, headers = self._settings, self._headers()
        certificate = settings.certificate
        return cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{self._names.prefix}: the page and its API",
            default_root_object=INDEX,
            default_behavior=cloudfront.BehaviorOptions(
                # With LIST, S3 answers 404 for a missing file, not 403. Nobody can list: no query
                # is passed on, and `/` is the index.
                origin=origins.S3BucketOrigin.with_origin_access_control(
                    bucket,
                    origin_access_levels=[
                        cloudfront.AccessLevel.READ,
                        cloudfront.AccessLevel.LIST,
                    ],
                ),
                allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
                cache_policy=self._revalidated(),
                response_headers_policy=headers,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                compress=True,
            ),
            additional_behaviors={
                "/api/*": cloudfront.BehaviorOptions(
                    origin=origins.HttpOrigin(
                        api_host,
                        protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                        origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
                    ),
                    allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                    cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                    # With the visitor's Host, API Gateway would look for an API of that name.
                    origin_request_policy=(
                        cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER
                    ),
                    response_headers_policy=headers,
                    # A redirect would come after the token was sent in the clear.
                    viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                )
            },
            # No page of ours in place of a failure: these rules hold for the API's answers too.
            error_responses=[
                cloudfront.ErrorResponse(http_status=status, ttl=cdk.Duration.seconds(0))
                for status in _KEPT_FAILURES
            ],
            domain_names=[settings.domain] if settings.domain else None,
            certificate=(
                certificates.Certificate.from_certificate_arn(self, "Certificate", certificate)
                if certificate
                else None
            ),
            # CloudFront's own domain has its own minimum.
            minimum_protocol_version=(
                cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if certificate else None
            ),
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            web_acl_id=settings.web_acl,
        )

    def _revalidated(self) -> cloudfront.CachePolicy:
        """Keep a file for one second, then ask S3 if it changed: names have no hash.

        With no time at all, CloudFront would compress nothing.
        """
        return cloudfront.CachePolicy(
            self,
            "Revalidated",
            min_ttl=_SECOND,
            default_ttl=_SECOND,
            max_ttl=_SECOND,
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )

    def _headers(self) -> cloudfront.ResponseHeadersPolicy:
        """Send the local cloud's headers, with the hosts of this deployment, and HSTS."""
        headers = security_headers([*self._buckets(), *self._settings.sign_in_origins()])
        policy = headers.pop("Content-Security-Policy")
        referrer = cloudfront.HeadersReferrerPolicy(
            headers.pop("Referrer-Policy").replace("-", "_").upper()
        )
        if headers.pop("X-Content-Type-Options") != "nosniff":
            raise ValueError("CloudFront sends no X-Content-Type-Options but nosniff")
        security = cloudfront.ResponseSecurityHeadersBehavior(
            content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                content_security_policy=policy, override=True
            ),
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                referrer_policy=referrer, override=True
            ),
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=_YEAR, override=True
            ),
        )
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            security_headers_behavior=security,
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(header=name, value=value, override=True)
                    for name, value in headers.items()
                ]
            ),
        )

    def _buckets(self) -> list[str]:
        """Return the origins of signed forms and addresses.

        boto3 signs for the host without a region in us-east-1.
        """
        hosts = (f"s3.{cdk.Aws.REGION}", "s3")
        return [
            f"https://{self._names.bucket(bucket)}.{host}.{cdk.Aws.URL_SUFFIX}"
            for bucket in _READ_BY_PAGES
            for host in hosts
        ]
