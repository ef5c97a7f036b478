using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Startup;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Identity;

namespace Dashboard.Web.Auth;

internal static class AuthRegistration
{
    public const string ApiPolicy = "Api";
    private const int HashingRounds = 210_000; // OWASP's figure for PBKDF2 with SHA-512; Identity's own default is 100,000

    public static void AddDashboardAuth(this IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton<TeamAuthorization>();
        services.AddIdentityCore<DashboardUser>(identity =>
        {
            identity.User.RequireUniqueEmail = true;
            identity.Lockout.MaxFailedAccessAttempts = 5;
            identity.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(5);

            // Length is what helps; rules about digits and signs make people write passwords down.
            identity.Password.RequiredLength = 12;
            identity.Password.RequireDigit = identity.Password.RequireLowercase = identity.Password.RequireUppercase = identity.Password.RequireNonAlphanumeric = false;
        }).AddEntityFrameworkStores<AppDbContext>().AddSignInManager().AddDefaultTokenProviders();
        services.Configure<PasswordHasherOptions>(hasher => hasher.IterationCount = HashingRounds);
        services.Configure<SecurityStampValidatorOptions>(stamps => stamps.ValidationInterval = SessionRevalidation.Interval);

        services.AddAuthentication(IdentityConstants.ApplicationScheme)
            .AddScheme<AuthenticationSchemeOptions, ApiTokens>(ApiTokens.SchemeName, null)
            .AddIdentityCookies();
        services.ConfigureApplicationCookie(cookie => Configure(cookie, settings));

        services.AddAuthorizationBuilder()
            .AddPolicy(ApiPolicy, policy => policy.AddAuthenticationSchemes(ApiTokens.SchemeName).RequireAuthenticatedUser());
        services.AddCascadingAuthenticationState();
        services.AddScoped<AuthenticationStateProvider, SessionRevalidation>();
    }

    private static void Configure(CookieAuthenticationOptions cookie, ServerSettings settings)
    {
        // The prefix makes browsers insist on https; on plain http only loopback is served.
        var https = settings.PublicUrl.Scheme == Uri.UriSchemeHttps;
        cookie.Cookie.Name = https ? "__Host-dashboard" : "dashboard";
        cookie.Cookie.SecurePolicy = https ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.Path = "/";
        cookie.LoginPath = "/sign-in";
        cookie.AccessDeniedPath = "/not-found";
        cookie.ReturnUrlParameter = "returnUrl";
        cookie.ExpireTimeSpan = TimeSpan.FromDays(14);
        cookie.SlidingExpiration = true;
    }
}
