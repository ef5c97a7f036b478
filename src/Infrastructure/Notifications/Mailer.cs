using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Dashboard.Domain.Marketplaces;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Options;
using MimeKit;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>Sends one mail over a connection of its own to the server that the site configured.</summary>
internal sealed class Mailer(IOptions<SmtpOptions> options, SiteAddress site, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public bool IsSet => options.Value.IsSet;

    public async Task<SendResult> SendAsync(Secret address, OutgoingMessage message, CancellationToken ct)
    {
        var smtp = options.Value;
        if (!smtp.IsSet || MailAddresses.Read(address.Reveal()) is not { } to)
        {
            return new SendResult.Failed(smtp.IsSet ? "This is no mail address." : "No mail server is configured (Smtp:Host).", Final: smtp.IsSet);
        }

        using var mail = Write(message, to);
        using var late = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        using var client = new SmtpClient { Timeout = (int)Patience.TotalMilliseconds };
        try
        {
            await client.ConnectAsync(smtp.Host!, smtp.Port, Protection(smtp), either.Token);
            if (!string.IsNullOrEmpty(smtp.UserName))
            {
                await client.AuthenticateAsync(smtp.UserName, smtp.Password ?? "", either.Token);
            }

            var said = await client.SendAsync(mail, either.Token);
            await client.DisconnectAsync(quit: true, CancellationToken.None); // taken: a farewell that fails changes nothing
            return new SendResult.Sent($"The mail server took it: {Tidy(said)}");
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            return new SendResult.Failed($"The mail server did not answer within {Patience.TotalSeconds:0} s.", Final: false);
        }
        catch (SmtpCommandException refused)
        {
            return new SendResult.Failed($"The mail server refused it: {(int)refused.StatusCode} {Tidy(refused.Message)}", Final: (int)refused.StatusCode >= 500 && refused.ErrorCode != SmtpErrorCode.SenderNotAccepted);
        }
        catch (AuthenticationException)
        {
            return new SendResult.Failed("The mail server refused the user name and password of this site (Smtp:UserName).", Final: false);
        }
        catch (Exception fault) when (fault is ProtocolException or IOException or SocketException or SslHandshakeException or NotSupportedException)
        {
            return new SendResult.Failed(fault is SslHandshakeException or NotSupportedException ? "The mail server offers no protected connection that is trusted (Smtp:Security)." : "The mail server could not be reached.", Final: false);
        }
    }

    private MimeMessage Write(OutgoingMessage message, MailboxAddress to)
    {
        var mail = new MimeMessage
        {
            Subject = $"[{message.Team}] {message.Title}",
            Date = message.At,
            MessageId = $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(message.Key)))[..32]}@{site.Root.Host}", // the same when it is sent again
            Body = new TextPart("plain")
            {
                Text = $"""
                    {message.Title}

                    {message.Detail}
                    {message.Link}

                    --{" "}
                    {message.Team}. What is told here, and when: {message.Settings}
                    """,
            },
        };
        mail.From.Add(MailAddresses.Read(options.Value.From)!); // checked at the start
        mail.To.Add(to);
        mail.Headers.Add(HeaderId.AutoSubmitted, "auto-generated"); // no out-of-office answers
        if (message.Urgent)
        {
            mail.Importance = MessageImportance.High;
        }

        return mail;
    }

    private static SecureSocketOptions Protection(SmtpOptions smtp) => smtp.Security switch
    {
        SmtpSecurity.Auto => smtp.Port == 465 ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTls,
        SmtpSecurity.Tls => SecureSocketOptions.SslOnConnect,
        SmtpSecurity.StartTls => SecureSocketOptions.StartTls,
        SmtpSecurity.None => SecureSocketOptions.None,
    };

    private static string Tidy(string said) => new([.. said.Where(c => !char.IsControl(c)).Take(160)]);
}
