"""The start of the API: every entity, where it is written and where it is read."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from erp import ownership
from erp.api.paths import PREFIX, copy_collection, owner_url


class EntitySerializer(serializers.Serializer[Any]):
    """One line of the ownership map."""

    entity = serializers.CharField()
    owner = serializers.CharField()
    custodians = serializers.ListField(child=serializers.CharField())
    window_s = serializers.IntegerField(help_text="How old a copy may be; 0: written in the owner's transaction")
    owner_url = serializers.URLField()
    reader_urls = serializers.DictField(child=serializers.URLField())


class IndexView(APIView):
    """The ownership map, with URLs."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(responses=EntitySerializer(many=True), operation_id="ownership_map")
    def get(self, request: Request) -> Response:
        """Every entity with its owner, its readers and its consistency window."""
        return Response(
            [
                {
                    "entity": entity.name,
                    "owner": entity.owner,
                    "custodians": list(entity.custodians),
                    "window_s": entity.window_s,
                    "owner_url": request.build_absolute_uri(owner_url(entity.name)),
                    "reader_urls": {
                        reader: request.build_absolute_uri(f"{PREFIX}/{reader}/{copy_collection(entity.name, reader)}/")
                        for reader in entity.readers
                    },
                }
                for entity in ownership.ENTITIES
            ]
        )
