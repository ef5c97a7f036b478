namespace Dashboard.Web.Startup;

/// <summary>What browsers are told to refuse on every answer.</summary>
internal static class SecurityHeaders
{
    // style 'unsafe-inline': MudBlazor places popovers and its theme with style attributes and one style element.
    private const string Policy =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public static void UseSecurityHeaders(this WebApplication app) => app.Use(static (context, next) =>
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
        return next(context);
    });

    /// <summary>Passkeys do not work on a bare 127.0.0.1, so people are led to <c>localhost</c>. Programs are left alone.</summary>
    public static void UseLocalhostName(this WebApplication app) => app.Use(static (context, next) =>
    {
        var request = context.Request;
        if (request.Host.Host is "127.0.0.1" or "[::1]" && HttpMethods.IsGet(request.Method) && !request.Path.StartsWithSegments("/api") && !request.Path.StartsWithSegments("/health"))
        {
            var host = request.Host.Port is { } port ? new HostString("localhost", port) : new HostString("localhost");
            context.Response.Redirect($"{request.Scheme}://{host}{request.PathBase}{request.Path}{request.QueryString}");
            return Task.CompletedTask;
        }

        return next(context);
    });
}
