using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;

namespace Dashboard.Web.Features.SignIn;

/// <summary>How often one address may try passwords and set-up codes. Looking at the form is not a try.</summary>
internal static class SignInLimit
{
    public const string Policy = "sign-in";
    private const int TriesAMinute = 10;

    public static void AddSignInLimit(this IServiceCollection services) => services.AddRateLimiter(limiter =>
    {
        limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        limiter.OnRejected = async (context, ct) => await context.HttpContext.Response.WriteAsync("Too many tries. Wait a minute, then try again.", ct);
        limiter.AddPolicy(Policy, context => HttpMethods.IsPost(context.Request.Method) || context.Request.Query.ContainsKey("code")
            ? RateLimitPartition.GetFixedWindowLimiter(
                context.Connection.RemoteIpAddress?.ToString() ?? "",
                _ => new FixedWindowRateLimiterOptions { PermitLimit = TriesAMinute, Window = TimeSpan.FromMinutes(1) })
            : RateLimitPartition.GetNoLimiter(""));
    });
}
