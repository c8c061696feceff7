#include "journal/dictionary.h"

namespace attune {
namespace {

// Rare fragments first, frequent ones last: nearer the text they cost fewer bits.
constexpr std::string_view kDictionary =
    R"({"plan":"free","plan":"premium","plan":"enterprise","logins":1,"employees":10,)"
    R"("industry":"Technology","company":"","createdAt":"2026-01-01T00:00:00.000Z",)"
    R"("firstName":"","lastName":"","name":"","email":"@example.com","phone":"+1","age":30,)"
    R"("gender":"female","gender":"male","address":{"city":"London","country":"GB",)"
    R"("postalCode":"","state":"CA","street":""},"birthday":"","title":"","username":"",)"
    R"("website":"https://www.example.com/","avatar":"","description":"",)"
    R"("event":"Signed Up","event":"Application Opened","event":"Email Opened",)"
    R"("event":"Promotion Viewed","event":"Promotion Clicked","event":"Coupon Applied",)"
    R"("event":"Order Refunded","event":"Order Cancelled","event":"Payment Info Entered",)"
    R"("event":"Checkout Started","event":"Checkout Step Completed","event":"Cart Viewed",)"
    R"("event":"Product Removed","event":"Product Shared","event":"Product Reviewed",)"
    R"("event":"Product Added to Wishlist","event":"Products Searched",)"
    R"("event":"Product List Viewed","event":"Product Clicked","event":"Order Completed",)"
    R"("event":"Product Added","event":"Product Viewed","checkout_id":"","order_id":"",)"
    R"("affiliation":"Google Store","shipping":5.99,"tax":2.0,"discount":0,"coupon":"SUMMER",)"
    R"("payment_method":"Visa","shipping_method":"Fedex","step":1,"list_id":"","filters":[{)"
    R"("type":"department","value":""}],"sorts":[{"type":"price","value":"desc"}],"query":"",)"
    R"("promotion_id":"","creative":"banner","rating":5,"review_body":"","share_via":"email",)"
    R"("video_id":"","session_id":"","asset_id":"","genre":"","channel":"","duration":0,)"
    R"("progress":0.5,"timezone":"America/New_York","timezone":"Europe/London",)"
    R"("network":{"bluetooth":false,"carrier":"T-Mobile","cellular":true,"wifi":true},)"
    R"("os":{"name":"iOS","version":"17.0"},"os":{"name":"Android","version":"14"},)"
    R"("device":{"id":"","manufacturer":"Apple","model":"iPhone","name":"","type":"ios"},)"
    R"("device":{"type":"mobile"},"device":{"type":"desktop"},"device":{"type":"tablet"},)"
    R"("screen":{"width":1920,"height":1080,"density":2},"app":{"name":"","version":"1.0.0",)"
    R"("build":"1"},"location":{"city":"San Francisco","country":"United States",)"
    R"("country":"DE","country":"US","latitude":37.7,"longitude":-122.4},)"
    R"("campaign":{"name":"spring_sale","source":"google","medium":"cpc","term":"",)"
    R"("content":""},"campaign":{"source":"newsletter","medium":"email","name":""},)"
    R"("referrer":"https://www.google.com/","referrer":"https://www.facebook.com/",)"
    R"("ip":"192.168.0.1","userAgent":"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 )"
    R"((KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36","userAgent":"Mozilla/5.0 )"
    R"((iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) )"
    R"(Version/17.0 Mobile/15E148 Safari/604.1","userAgent":"Mozilla/5.0 (Windows NT 10.0; )"
    R"(Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",)"
    R"("library":{"name":"analytics.js","version":"2.11.1"},"locale":"de-DE",)"
    R"("locale":"en-GB","locale":"en-US","page":{"path":"/products/","referrer":"",)"
    R"("search":"","title":"Home","url":"https://www.example.com/products/"},)"
    R"("type":"track","type":"page","type":"identify","messageId":"","anonymousId":"",)"
    R"("userId":"","timestamp":"2026-11-02T10:11:12.345Z","traits":{},"integrations":{},)"
    R"("items":[],"products":[{"product_id":"","sku":"","name":"","price":19.99,)"
    R"("quantity":1,"category":"Games","brand":"","variant":""}],"total":29.99,)"
    R"("subtotal":25.0,"value":19.99,"revenue":29.99,"position":1,"image_url":)"
    R"("https://www.example.com/product/image.jpg","url":"https://www.example.com/product/",)"
    R"("cart_id":"","category":"Clothing","brand":"","variant":"Black","variant":"Blue",)"
    R"("size":"M","color":"red","currency":"EUR","currency":"USD","context":{},)"
    R"("properties":{},{"product_id":"","sku":"","category":"Shoes","name":"","brand":"",)"
    R"("price":49.99,"quantity":1,"currency":"USD","position":3})";

}  // namespace

std::string_view dictionary_v1() { return kDictionary; }

}  // namespace attune
