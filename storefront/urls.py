"""URLs of Storefront: its API under /api/v1/storefront/, and the shop at the root of the site."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from erp.api.routers import copy_routes, entity_routes
from storefront.rest import SalesOrderViewSet, internal_routes
from storefront.views import (
    account,
    addresses,
    cart,
    catalogue,
    checkout,
    crawlers,
    orders,
    passwords,
    payment,
)

api_urlpatterns: list[URLPattern | URLResolver] = [
    *entity_routes("storefront", SalesOrderViewSet),
    *internal_routes(),
    *copy_routes("storefront"),
]

_shop: list[URLPattern | URLResolver] = [
    path("", catalogue.product_list, name="product_list"),
    path("robots.txt", crawlers.robots, name="robots"),
    path("sitemap.xml", crawlers.sitemap, name="sitemap"),
    path("sitemap-categories.xml", crawlers.sitemap_categories, name="sitemap_categories"),
    path("sitemap-products-<int:start>.xml", crawlers.sitemap_products, name="sitemap_products"),
    path("p/<slug:slug>/<int:pk>/", catalogue.product_detail, name="product_detail"),
    path("stock/<int:pk>/", catalogue.stock, name="stock"),
    path("cart/", cart.cart, name="cart"),
    path("cart/add/<int:pk>/", cart.cart_add, name="cart_add"),
    path("cart/update/", cart.cart_update, name="cart_update"),
    path("cart/remove/<int:pk>/", cart.cart_remove, name="cart_remove"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("checkout/pay/<uuid:ref>/", payment.payment, name="payment"),
    path("checkout/pay/<uuid:ref>/return/", payment.payment_return, name="payment_return"),
    path("checkout/pay/<uuid:ref>/again/", payment.payment_again, name="payment_again"),
    path("payments/callback/", payment.payment_callback, name="payment_callback"),
    path("orders/", orders.order_list, name="order_list"),
    path("orders/find/", orders.order_lookup, name="order_lookup"),
    path("orders/<str:number>/", orders.order_detail, name="order_detail"),
    path("orders/<str:number>/cancel/", orders.order_cancel, name="order_cancel"),
    path("orders/<str:number>/return/", orders.return_request, name="return_request"),
    path("invoices/<path:number>/pdf/", orders.invoice_pdf, name="invoice_pdf"),
    path("invoices/<path:number>/", orders.invoice_detail, name="invoice_detail"),
    path("account/", account.account, name="account"),
    path("account/login/", account.log_in, name="login"),
    path("account/logout/", account.log_out, name="logout"),
    path("account/register/", account.register, name="register"),
    path("account/details/", addresses.details, name="account_details"),
    path("account/addresses/", addresses.address_list, name="addresses"),
    path("account/addresses/new/", addresses.address_edit, name="address_new"),
    path("account/addresses/<int:pk>/", addresses.address_edit, name="address_edit"),
    path("account/addresses/<int:pk>/remove/", addresses.address_remove, name="address_remove"),
    path("account/password/", passwords.change, name="password_change"),
    path("account/forgotten/", passwords.forgotten, name="password_forgotten"),
    path("account/reset/<str:uid>/<str:token>/", passwords.reset, name="password_reset_set"),
    path("account/confirm/again/", account.confirm_again, name="confirm_again"),
    path("account/confirm/<str:token>/", account.confirm_email, name="confirm_email"),
]

urlpatterns: list[URLPattern | URLResolver] = [path("", include((_shop, "storefront")))]
